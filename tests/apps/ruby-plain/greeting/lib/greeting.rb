# The text that the app greets with, read anew each time.
module Greeting
  def self.read = File.read(File.join(__dir__, "..", "..", "greeting.txt"))
end
