Gem::Specification.new do |spec|
  spec.name = "greeting"
  spec.version = "1.0.0"
  spec.summary = "Reads the greeting"
  spec.authors = ["devenv"]
  spec.files = ["lib/greeting.rb"]
end
