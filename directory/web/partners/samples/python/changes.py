# Keep a copy of the directory in the file named by the first argument. Run it as often as you like: it goes on where it
# was, also after it was killed.
import json
import os
import sys
import urllib.error
import urllib.request

server, key, file = os.environ["KAPDIR_SERVER"], os.environ["KAPDIR_KEY"], sys.argv[1]


def fetch(after):
    request = urllib.request.Request(f"{server}/api/v1/changes?after={after}", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as problem:
        sys.exit(f"{problem.code}: {problem.read().decode()}")


try:
    with open(file, encoding="utf-8") as f:
        held = json.load(f)
except FileNotFoundError:
    held = {"next": 0, "providers": {}}  # or the number of your export, and what it holds

more = True
while more:  # to follow for ever, ask with &wait=30 and do not stop
    page = fetch(held["next"])
    for change in page["changes"]:
        if "provider" in change:
            held["providers"][change["id"]] = change["provider"]
        else:  # removed, merged or withheld: drop them
            held["providers"].pop(change["id"], None)
    held["next"], more = page["next"], page["more"]
    with open(file + ".new", "w", encoding="utf-8") as f:  # the copy and its number, together
        json.dump(held, f)
    os.replace(file + ".new", file)

print(f"{len(held['providers'])} providers, up to change {held['next']}")
