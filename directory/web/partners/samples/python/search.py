# Who offers ketamine-assisted psychotherapy to patients in Colorado: each with five checks and their dates.
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

server, key = os.environ["KAPDIR_SERVER"], os.environ.get("KAPDIR_KEY")
query = urllib.parse.urlencode({"state": "CO", "care": "full_kap", "limit": 5})
request = urllib.request.Request(f"{server}/api/v1/providers?{query}")
if key:
    request.add_header("Authorization", f"Bearer {key}")
try:
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)
except urllib.error.HTTPError as problem:  # as RFC 9457 has it
    sys.exit(f"{problem.code}: {problem.read().decode()}")

print("As it was at", answer["as_of"])
for provider in answer["results"]:
    print(f"{provider['name']}  {server}{provider['url']}")
    for check in provider["checks"]:
        as_of, until = check["as_of"] or "no date", check["valid_until"] or "no date"
        print(f"  {check['title']}: {check['label']} (as of {as_of}, until {until})")
