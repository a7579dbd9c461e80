"""What applies changes in a container that has Perl, as Debian and Ubuntu images do: no process for a change, but a call for each step.

`devenv.sync.frame` is the way for all others; what a change does is the same (decision 0017).
"""

import os

from devenv.sync import frame

# Takes over from the loop, whose process it becomes. Lines: `put NUMBER MARK PREFIX`, followed by the records of
# `devenv.sync.payload`; any other is shell, which does not read what follows. Everything is written beside and renamed into
# place. Whatever fails, the records are read to their end; what can't be unpacked changes nothing.
PROGRAM = r"""
use strict;
my ($s, $t) = @ARGV;  # as the loop names them: t=$s/stage
my $b = "";
my $bad;
$| = 1;
$SIG{TERM} = $SIG{HUP} = $SIG{PIPE} = sub { exit };
END { system "rm", "-rf", $t if $t }
sub more {
  vec(my $r = "", 0, 1) = 1;
  select($r, undef, undef, 60) or exit;
  sysread(STDIN, $b, 1 << 16, length $b) or exit;
}
sub take { more while length $b < $_[0]; substr $b, 0, $_[0], "" }
sub line {
  my $i;
  more while ($i = index $b, "\n") < 0;
  my $l = take $i + 1;
  chomp $l;
  $l;
}
sub bad { my $w = "$_[0]: $!"; $w =~ tr/\n/?/; print "$w\n"; $bad = 1; 0 }
sub folder {
  my $d = shift;
  return 1 if $d eq "" or -d $d;
  $d =~ m{^(.*)/}s;
  folder($1) and (mkdir $d, 0777 or -d $d or bad $d);
}
sub fill {
  my ($n, $mode, $m, $size) = @_;
  my $f;
  my $good = !$bad && (open $f, ">", $n or bad $n);
  while ($size) {
    more if $b eq "";
    my $d = substr $b, 0, $size, "";
    $size -= length $d;
    $good &&= (print $f $d or bad $n);
  }
  $good and (close $f and chmod $mode, $n and utime $m, $m, $n or bad $n);
}
sub gone {
  my $p = shift;
  unlink $p or $! == 2 or $! == 20 or system("rm", "-rf", "--", $p) == 0 or $bad = 1;  # ENOENT, ENOTDIR: it is gone
}
sub place {
  my ($n, $p) = @_;
  return if rename $n, $p;
  $p =~ m{^(.*)/}s;
  folder $1 or return;
  return if rename $n, $p;
  return bad $p if $! != 18;  # EXDEV: another file system
  my $o = "$1/.devenv.$$";
  system("cp", "-Pp", $n, $o) == 0 and rename $o, $p or bad $p;
  unlink $n, $o;
}
sub put {
  my ($number, $mark, $prefix) = @_;
  my (@gone, @folders, @files);
  $bad = 0;
  while ((my $l = line) ne ".") {
    my ($k, $m, $long, $size) = split / /, $l;
    my $p = $prefix . take $long;
    if ($k eq "r") { push @gone, $p }
    elsif ($k eq "d") { push @folders, $p }
    else {
      my $n = "$t/" . @files;
      push @files, [$n, $p];
      if ($k eq "l") { my $to = take $size; $bad or symlink $to, $n or bad $n }
      else { fill $n, $k eq "x" ? 0755 : 0644, $m, $size }
    }
  }
  if (!$bad) {
    gone $_ for @gone;
    folder $_ for @folders;
    place @$_ for @files;
  }
  if (!$bad) {
    my $f;
    open $f, ">", "$s/seq" and print $f "$mark\n" and close $f or bad "$s/seq";
  }
  print "ok $number $bad\n";
  if ($bad) { unlink map $_->[0], @files; mkdir $t }
}
while (1) {
  my $l = line;
  if ($l =~ /^put (\S+) (\S+) (.*)/) { put $1, $2, $3 }
  elsif ($l eq "echo beat") { print "beat\n" }
  else {
    system "sh", "-c", "nl='\n'\n{ $l\n} < /dev/null";
    exit if $? & 127;  # it did not run, or was killed: nobody would answer
  }
}
"""
TAKE_OVER = f'PERL_BADLANG=0 exec perl -C0 -e {frame.quoted(PROGRAM)} "$s" "$t"\n'.encode()


def order(number: int, site: frame.Site, mark: str) -> bytes:
    """The line that applies the records after it and answers `ok NUMBER STATUS`; `mark` goes into the seq file."""
    return os.fsencode(f"put {number} {mark} {site.prefix}\n")
