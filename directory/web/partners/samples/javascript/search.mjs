// Who offers ketamine-assisted psychotherapy to patients in Colorado: each with five checks and their dates.
const { KAPDIR_SERVER: server, KAPDIR_KEY: key } = process.env;

const query = new URLSearchParams({ state: "CO", care: "full_kap", limit: "5" });
const response = await fetch(`${server}/api/v1/providers?${query}`, {
  headers: key ? { Authorization: `Bearer ${key}` } : {},
  signal: AbortSignal.timeout(10_000),
});
if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`); // a problem, as RFC 9457 has it
const answer = await response.json();

console.log("As it was at", answer.as_of);
for (const provider of answer.results) {
  console.log(`${provider.name}  ${server}${provider.url}`);
  for (const check of provider.checks) {
    console.log(`  ${check.title}: ${check.label} (as of ${check.as_of ?? "no date"}, until ${check.valid_until ?? "no date"})`);
  }
}
