#!/bin/sh
# exports.sh RELEASE LIST: the linker's version script for a release, from the list of symbols and first releases.
awk -v release="$1" '
	function number(text, part) { split(text, part, "."); return part[1] * 10000 + part[2] * 100 + part[3] }
	BEGIN { print "{ global:" }
	!/^#/ && number($2) <= number(release) { print $1 ";" }
	END { print "local: *; };" }' "$2"
