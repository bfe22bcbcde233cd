// oauth2-mock-server with a memory: codes and refresh tokens are its own, may be rotated, refused and used up.
// Node program; argv: PORT STATE_FILE. Commands come as JSON lines on stdin, each is answered by one JSON line.
"use strict";
const { createPublicKey, randomUUID } = require("node:crypto");
const { createServer } = require("node:http");
const { createInterface } = require("node:readline");
const { OAuth2Server } = require("oauth2-mock-server");

const port = Number(process.argv[2]);
const settings = {
  life: 3600, // seconds an access token lives
  claimed: null, // what the answer says about that, where it is another number
  rotation: "keep", // keep | grace (the old one is good until a new one is used) | strict (the old one is dead at once)
  user: "", // whose tokens these are; "" = the login_hint of the consent
  fault: "", // html | huge | slow | 500 | 429: what the token endpoint says instead
  client: { id: "balas", secret: "kept" },
};
const codes = new Map(); // code → user
const tokens = new Map(); // refresh token → { user, replaces }
const revoked = new Set();
const log = []; // one entry a refresh that was granted

async function main() {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  const service = server.service;

  service.on("beforeAuthorizeRedirect", (redirect, request) => {
    codes.set(redirect.url.searchParams.get("code"), settings.user || request.query.login_hint || "");
  });
  service.on("beforeTokenSigning", (token, request) => {
    const body = request.body;
    const user = settings.user || codes.get(body.code) || tokens.get(body.refresh_token)?.user || "";
    Object.assign(token.payload, { sub: user, username: user, exp: token.payload.iat + settings.life, jti: randomUUID() });
    delete token.payload.nbf;
  });
  service.on("beforeResponse", (response, request) => answer(response, request.body));

  // The faults stand before the real server, as a broken proxy would.
  const inner = server.service.requestHandler;
  const front = createServer((request, response) => {
    if (request.url.startsWith("/token") && settings.fault) return fail(response);
    return inner(request, response);
  });
  server.issuer.url = `http://127.0.0.1:${port}`;
  front.listen(port, "127.0.0.1", () => say({ ready: true, ...keys(server) }));
}

function answer(response, body) {
  const refuse = (error, words) => {
    response.statusCode = error === "invalid_client" ? 401 : 400;
    response.body = { error, error_description: words };
  };
  if (body.client_id !== settings.client.id || (body.client_secret || "") !== settings.client.secret)
    return refuse("invalid_client", "The OAuth client was not found.");
  let user;
  let before = "";
  if (body.grant_type === "authorization_code") {
    if (!codes.has(body.code)) return refuse("invalid_grant", "The code is unknown or was used before.");
    user = codes.get(body.code);
    codes.delete(body.code);
  } else {
    before = body.refresh_token;
    const known = tokens.get(before);
    if (!known || revoked.has(before)) return refuse("invalid_grant", "Token has been expired or revoked.");
    user = known.user;
    if (known.replaces) revoked.add(known.replaces); // the new one is in use: the old one has had its time
    log.push(before);
  }
  const keeps = before && settings.rotation === "keep";
  if (keeps) delete response.body.refresh_token;
  else {
    response.body.refresh_token = randomUUID();
    tokens.set(response.body.refresh_token, { user, replaces: before });
    if (before && settings.rotation === "strict") revoked.add(before);
  }
  response.body.expires_in = settings.claimed ?? settings.life;
  delete response.body.id_token;
}

function fail(response) {
  switch (settings.fault) {
    case "html":
      response.writeHead(200, { "Content-Type": "text/html" });
      return response.end("<!doctype html><title>invalid_grant</title><h1>Maintenance</h1>");
    case "huge":
      response.writeHead(200, { "Content-Type": "application/json" });
      response.on("error", () => {});
      return response.end(Buffer.alloc(50 * 1024 * 1024, 32));
    case "slow":
      response.writeHead(200, { "Content-Type": "application/json" });
      return void setInterval(() => response.write(" "), 50).unref();
    case "429":
      response.writeHead(429, { "Content-Type": "application/json", "Retry-After": "86400" });
      return response.end('{"error":"slow_down"}');
    default:
      response.writeHead(500, { "Content-Type": "application/json" });
      return response.end('{"error":"invalid_grant"}');
  }
}

function keys(server) {
  const [jwk] = server.issuer.keys.toJSON();
  return { kid: jwk.kid, pem: createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" }) };
}

function say(data) {
  process.stdout.write(JSON.stringify(data) + "\n");
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    Object.assign(settings, command.set || {});
    for (const token of command.revoke || []) revoked.add(token);
    if (command.revoke_all) for (const token of tokens.keys()) revoked.add(token);
    for (const [token, user] of Object.entries(command.know || {})) tokens.set(token, { user, replaces: "" });
    say({ refreshes: log.length, used: log, tokens: tokens.size });
  })
  .on("close", () => process.exit(0)); // the parent has gone
main();
