// Keep a copy of the directory in the file named by the first argument. Run it as often as you like: it goes on where it
// was, also after it was killed.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

const { KAPDIR_SERVER: server, KAPDIR_KEY: key } = process.env;
const file = process.argv[2];

async function fetchPage(after) {
  const response = await fetch(`${server}/api/v1/changes?after=${after}`, {
    headers: { Authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}

// next is 0 to begin, or the number of your export.
const held = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { next: 0, providers: {} };

for (let more = true; more; ) { // to follow for ever, ask with &wait=30 and do not stop
  const page = await fetchPage(held.next);
  for (const change of page.changes) {
    if (change.provider) held.providers[change.id] = change.provider;
    else delete held.providers[change.id]; // removed, merged or withheld: drop them
  }
  held.next = page.next;
  more = page.more;
  writeFileSync(`${file}.new`, JSON.stringify(held)); // the copy and its number, together
  renameSync(`${file}.new`, file);
}

console.log(`${Object.keys(held.providers).length} providers, up to change ${held.next}`);
