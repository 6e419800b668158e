#!/bin/sh
# Who offers ketamine-assisted psychotherapy to patients in Colorado, and what was checked?
# KAPDIR_URL is where the directory is; KAPDIR_KEY is your key, or empty for the little that anybody may ask.
set -eu
curl --silent --show-error --fail --get "$KAPDIR_URL/api/v1/providers" \
  ${KAPDIR_KEY:+--header "Authorization: Bearer $KAPDIR_KEY"} \
  --data-urlencode "state=CO" \
  --data-urlencode "care=full_kap" \
  --data-urlencode "limit=5"
