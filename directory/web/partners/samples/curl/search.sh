#!/bin/sh
# Who offers ketamine-assisted psychotherapy to patients in Colorado, and what was checked?
# KAPDIR_SERVER is where the directory is; KAPDIR_KEY is your key, or empty for the little that anybody may ask.
set -eu
curl --silent --show-error --fail-with-body --get "$KAPDIR_SERVER/api/v1/providers" \
  ${KAPDIR_KEY:+--header "Authorization: Bearer $KAPDIR_KEY"} \
  --data-urlencode "state=CO" \
  --data-urlencode "care=full_kap" \
  --data-urlencode "limit=5"
