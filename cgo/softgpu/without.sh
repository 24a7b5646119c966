#!/bin/sh
# without.sh LIBRARY SYMBOL COPY: a copy of a stand-in library in which a symbol is not found. Its name's first letter is
# changed where the dynamic symbols have their names, so that the loader's look-up fails as if it had never been there.
set -eu
[ "${#2}" -gt 1 ]
rest=${2#?}
LC_ALL=C sed "s/\\x00$2\\x00/\\x00_$rest\\x00/" "$1" >"$3"
! cmp -s "$1" "$3" || { echo "without.sh: $1 has no symbol $2" >&2; exit 1; }
