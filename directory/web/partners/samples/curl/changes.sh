#!/bin/sh
# Fetch the changes since the last time, each page into a file of its own, in the folder named by the first argument.
# Apply the pages in the order of their numbers, and drop whoever is removed or merged_into another. The address of the
# page that follows is kept in "next" when its page is whole, so this may be interrupted anywhere and run again.
set -eu
mkdir -p "$1"
cd "$1"
[ -s next ] || echo "/api/v1/changes?after=0" >next # or the number of your export
while :; do
  from=$(cat next)
  curl --silent --show-error --fail-with-body --retry 3 --dump-header headers --output page \
    --header "Authorization: Bearer $KAPDIR_KEY" "$KAPDIR_SERVER$from"
  to=$(sed -n 's/^[Ll]ink: <\([^>]*\)>; rel="next".*/\1/p' headers)
  [ "$to" != "$from" ] || break # nothing more; with &wait=30 the server holds the question until there is
  mv page "changes-$(printf '%012d' "${to##*after=}").json"
  echo "$to" >next.new
  mv next.new next
done
rm -f page headers
