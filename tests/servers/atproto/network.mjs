// A Bluesky network on loopback: the real directory (PLC), personal data server (PDS), bsync and AppView, as
// @atproto/dev-env (MIT) puts them together for its own tests. Its TestNetwork also starts a moderation service, which
// costs as much as all the rest.
//
//   node network.mjs '{"postgres": URL, "ports": [plc, pds, bsync, appview]}'
//
// Prints one line of JSON once everything answers, and ends when its standard input does.
import net from 'node:net'

const { postgres, ports } = JSON.parse(process.argv[2])
const [plcPort, pdsPort, bsyncPort, appviewPort] = ports

// Left alone, these servers listen on every interface of the machine.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (first, ...rest) {
  if (typeof first === 'number' && typeof rest[0] !== 'string') rest.unshift('127.0.0.1')
  return listen.call(this, first, ...rest)
}

// Part by part: the package's own entrance loads the moderation service as well.
const part = (name) => import(`./node_modules/@atproto/dev-env/dist/${name}.js`)
const [{ TestPlc }, { TestPds }, { TestBsync }, { TestBsky }, { mockNetworkUtilities }] = await Promise.all(
  ['plc', 'pds', 'bsync', 'bsky', 'util'].map(part),
)
const MODERATOR = 'did:example:moderator'

const plc = await TestPlc.create({ port: plcPort })
const bsync = await TestBsync.create({ port: bsyncPort, apiKeys: ['key'], dbUrl: postgres, dbSchema: 'bsync' })
const appview = await TestBsky.create({
  port: appviewPort,
  publicUrl: `http://localhost:${appviewPort}`,
  plcUrl: plc.url,
  pdsPort,
  bsyncUrl: bsync.url,
  bsyncApiKey: 'key',
  repoProvider: `ws://localhost:${pdsPort}`,
  dbPostgresUrl: postgres,
  dbPostgresSchema: 'appview',
  modServiceDid: MODERATOR,
  labelsFromIssuerDids: [MODERATOR],
})
bsync.ctx.dataplaneClients = [appview.ctx.dataplane]
const pds = await TestPds.create({
  port: pdsPort,
  hostname: 'localhost',
  didPlcUrl: plc.url,
  bskyAppViewUrl: appview.url,
  bskyAppViewDid: appview.ctx.cfg.serverDid,
  modServiceUrl: 'http://localhost:9',
  modServiceDid: MODERATOR,
  enableDidDocWithSession: true, // as the servers of bsky.social do
})
mockNetworkUtilities(pds, appview)

process.stdin.on('end', () => process.exit(0)).resume()
const url = (port) => `http://127.0.0.1:${port}`
console.log(JSON.stringify({ plc: url(plcPort), pds: url(pdsPort), appview: url(appviewPort) }))
