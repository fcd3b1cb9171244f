// The adapter of oidc-provider: where it keeps its grants, tokens, codes and browser sessions.
//
// Nothing is thrown away because it expired: oidc-provider looks at `exp` itself, and the journal
// wants to know old tokens. What a request with the front's dry-run mark would end, lives on.

import { Provider } from 'oidc-provider';

const DRY_RUN = 'x-stand-in-dry-run';
const ENDING = new Set(['revocation', 'end_session', 'end_session_confirm']);
const OF_GRANT = ['AccessToken', 'RefreshToken', 'DeviceCode', 'AuthorizationCode'];

export function makeAdapter(store, ledger) {
  return (kind) => new Adapter(kind, store, ledger);
}

export function revokeGrant(store, grantId) {
  for (const kind of OF_GRANT) {
    for (const [id, payload] of store.all(kind)) {
      if (payload.grantId === grantId) store.delete(kind, id);
    }
  }
}

class Adapter {
  #kind;

  #store;

  #ledger;

  constructor(kind, store, ledger) {
    this.#kind = kind;
    this.#store = store;
    this.#ledger = ledger;
  }

  async upsert(id, payload) {
    this.#store.put(this.#kind, id, payload);
    this.#ledger.saw(this.#kind, id, payload);
  }

  async find(id) {
    if (this.#kind === 'RefreshToken' && route() === 'token') this.#ledger.sent(id);
    return this.#store.get(this.#kind, id);
  }

  async findByUserCode(code) {
    return this.#first((payload) => payload.userCode === code);
  }

  async findByUid(uid) {
    return this.#first((payload) => payload.uid === uid);
  }

  async consume(id) {
    const payload = this.#store.get(this.#kind, id);
    payload.consumed = Math.floor(Date.now() / 1000);
    this.#store.put(this.#kind, id, payload);
    this.#ledger.consumed(id);
  }

  async destroy(id) {
    if (isDryRun()) return;
    this.#store.delete(this.#kind, id);
    if (this.#kind === 'Grant') this.#ledger.ended(id, reason());
  }

  async revokeByGrantId(grantId) {
    if (isDryRun()) return;
    revokeGrant(this.#store, grantId);
    this.#ledger.ended(grantId, reason());
  }

  #first(fits) {
    return this.#store.all(this.#kind).map(([, payload]) => payload).find(fits);
  }
}

const route = () => Provider.ctx?.oidc?.route;
const isDryRun = () => ENDING.has(route()) && Provider.ctx.get(DRY_RUN) === '1';

// The token endpoint ends a grant only because something came that was used before.
function reason() {
  if (route() === 'token') return 'reuse';
  return ENDING.has(route()) ? route() : 'interaction';
}
