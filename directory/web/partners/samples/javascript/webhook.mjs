// Receive webhooks, and take those alone that the directory signed. KAPDIR_WEBHOOK_SECRET is the secret, whsec_…
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from(process.env.KAPDIR_WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");

// Was it signed with the secret less than five minutes ago?
function verified(headers, body) {
  const at = headers["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(at) || Math.abs(Date.now() / 1000 - Number(at)) > 300) return false;
  const mac = createHmac("sha256", key).update(`${headers["webhook-id"]}.${at}.`).update(body);
  const want = Buffer.from(`v1,${mac.digest("base64")}`);
  const signatures = (headers["webhook-signature"] ?? "").split(" "); // several while a secret is replaced
  return signatures.map((s) => Buffer.from(s)).some((got) => got.length === want.length && timingSafeEqual(got, want));
}

createServer(async (request, response) => {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    if ((size += part.length) > 1 << 20) return request.destroy();
    parts.push(part);
  }
  const body = Buffer.concat(parts); // the bytes as they came: what was parsed and written again has another signature
  if (!verified(request.headers, body)) return response.writeHead(400).end();
  // Put it into a queue of your own here, under its webhook-id: the same may come twice.
  console.log(JSON.parse(body).type, request.headers["webhook-id"]);
  response.writeHead(204).end();
}).listen(Number(process.env.PORT), "localhost");
