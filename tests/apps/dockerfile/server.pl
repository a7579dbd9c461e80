# A web process on Debian's own Perl: the greeting, how the image was built, a config var.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
$SIG{CHLD} = "IGNORE";
$SIG{TERM} = sub { exit 0 };
my $port = $ENV{PORT} or die "PORT is not set\n";
my $server = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => $port, Listen => 64, ReuseAddr => 1)
    or die "cannot listen on $port: $!\n";
print "listening on $port\n";

sub slurp {
    my ($path) = @_;
    open my $file, "<", $path or return "$path: $!\n";
    local $/;
    return <$file>;
}

while (1) {
    my $client = $server->accept or next;
    if (fork) { close $client; next }
    my $path = ((<$client> // "") =~ m{^\S+ (\S+)}) ? $1 : "";
    while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
    my ($status, $text) =
        $path eq "/"              ? (200, slurp("greeting.txt"))
      : $path eq "/built"         ? (200, slurp("built.txt"))
      : $path eq "/uid"           ? (200, "$<")
      : $path =~ m{^/env/(\w+)$}  ? (200, $ENV{$1} // "")
      :                             (404, "nothing here");
    print "GET $path $status\n";
    printf $client "HTTP/1.1 %d .\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
        $status, length $text, $text;
    close $client;
    exit 0;
}
