// oidc-provider as a process: plain HTTP on a free port of 127.0.0.1, behind the front's TLS.
//
//   node server.mjs DIRECTORY ISSUER
//
// The package is configured and not changed. The first line of standard output is {"port"}; from
// then on each line of standard input is a request of service.py, answered by one line (wishes.mjs).
// The process ends when standard input does: with its parent, whatever happens to that.

import './older_node.mjs';

import http from 'node:http';
import readline from 'node:readline';
import { once } from 'node:events';
import { Provider } from 'oidc-provider';

import { Accounts } from './accounts.mjs';
import { makeAdapter } from './adapter.mjs';
import { configuration } from './configuration.mjs';
import { interactions } from './interactions.mjs';
import { loadKeys } from './keys.mjs';
import { Ledger } from './ledger.mjs';
import { Store } from './store.mjs';
import { twists } from './twists.mjs';
import { wishes } from './wishes.mjs';

// Standard output is for answers alone.
console.log = console.error;
console.info = console.error;

const [directory, issuer] = process.argv.slice(2);
// service.py sends the settings before the first request comes.
const settings = {};
const trueTime = Date.now;
Date.now = () => trueTime() + (settings.clock_offset ?? 0) * 1000;

const keys = loadKeys(directory);
const store = new Store(directory);
const accounts = new Accounts(store);
const ledger = new Ledger(store, accounts);
const provider = new Provider(issuer, configuration({
  adapter: makeAdapter(store, ledger), accounts, keys, settings,
}));
provider.proxy = true;
provider.use(ledger.watch());
provider.use(twists(settings));
provider.use(interactions(provider, accounts));
provider.on('server_error', (_, error) => console.error('Traceback in oidc-provider:', error));

const server = http.createServer(provider.callback());
server.listen(0, '127.0.0.1');
await once(server, 'listening');

const answer = wishes({ store, ledger, accounts, settings, keys });
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ port: server.address().port });
for await (const line of readline.createInterface({ input: process.stdin })) {
  say(answer(JSON.parse(line)));
}
process.exit(0);
