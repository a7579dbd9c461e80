# A web process on Ruby's standard library: the greeting, Ruby's version, a config var.
require "bundler/setup"
require "greeting"
require "socket"

$stdout.sync = true
server = TCPServer.new("0.0.0.0", Integer(ENV.fetch("PORT")))
trap("TERM") { exit 0 }
puts "listening on #{ENV.fetch('PORT')}"

loop do
  Thread.new(server.accept) do |client|
    path = client.gets.to_s.split[1].to_s
    nil until client.gets.to_s.strip.empty?
    status, text =
      case path
      when "/" then [200, Greeting.read]
      when "/version" then [200, RUBY_VERSION]
      when %r{\A/env/(\w+)\z} then [200, ENV.fetch($1, "")]
      else [404, "nothing here"]
      end
    puts "GET #{path} #{status}"
    client.write "HTTP/1.1 #{status} .\r\ncontent-type: text/plain\r\ncontent-length: #{text.bytesize}\r\nconnection: close\r\n\r\n#{text}"
  rescue SystemCallError => error
    puts "client went away: #{error.message}"
  ensure
    client.close
  end
end
