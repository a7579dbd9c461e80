# A worker that runs in the web process's image and stops when it is asked to.
use strict;
use warnings;

$| = 1;
$SIG{TERM} = sub { print "worker stops cleanly\n"; exit 0 };
print "worker starts as ", $ENV{DYNO} // "nobody", "\n";
while (1) { sleep 1; print "worker ticks\n" }
