// What tests ask about: each login there ever was, how it ended, and which login a token is of.
//
// A login is a grant of oidc-provider. It is alive while something of it can still be used: a code,
// an access token, or a refresh token that was not yet exchanged.

const LOGIN = 'Login';
const TRACE = 'Trace';
const TOKENS = ['AccessToken', 'RefreshToken', 'DeviceCode', 'AuthorizationCode'];

export class Ledger {
  #store;

  #accounts;

  constructor(store, accounts) {
    this.#store = store;
    this.#accounts = accounts;
  }

  // Oldest first.
  logins() {
    const usable = new Set();
    for (const kind of TOKENS) {
      for (const [, payload] of this.#store.all(kind)) {
        if (!payload.consumed && !isExpired(payload)) usable.add(payload.grantId);
      }
    }
    return this.#store.all(LOGIN).map(([id, login]) => {
      const grant = this.#store.get('Grant', id);
      return { id, ...login, alive: Boolean(grant) && !isExpired(grant) && usable.has(id) };
    });
  }

  has(id) {
    return this.#store.get(LOGIN, id) !== undefined;
  }

  // The login that any of these ever belonged to.
  trace({ bearer, form = {} }) {
    const {
      refresh_token: refresh, access_token: access, device_code: device, id_token_hint: hint,
    } = form;
    const known = [bearer, refresh, access, form.token, device, form.code, signatureOf(hint)];
    for (const one of known) {
      const found = one && this.#store.get(TRACE, one);
      if (found) return found.login;
    }
    return null;
  }

  // A middleware that sees the ID tokens, which oidc-provider does not keep.
  watch() {
    return async (ctx, next) => {
      await next();
      const signature = signatureOf(ctx.body?.id_token);
      const login = signature && this.trace({ bearer: ctx.body.access_token });
      if (login) this.#store.put(TRACE, signature, { login, used: false });
    };
  }

  // From the adapter

  saw(kind, id, payload) {
    if (kind === 'Grant' && !this.has(id)) {
      const email = this.#accounts.byId(payload.accountId)?.email;
      this.#store.put(LOGIN, id, {
        email, client_id: payload.clientId, begun_at: Date.now() / 1000, ended_by: '', reuses: 0,
      });
    } else if (TOKENS.includes(kind) && payload.grantId) {
      this.#store.put(TRACE, id, { login: payload.grantId, used: Boolean(payload.consumed) });
    }
  }

  consumed(id) {
    const found = this.#store.get(TRACE, id);
    if (found) this.#store.put(TRACE, id, { ...found, used: true });
  }

  // A refresh token came to the token endpoint.
  sent(id) {
    const found = this.#store.get(TRACE, id);
    if (!found?.used) return;
    const login = this.#store.get(LOGIN, found.login);
    this.#store.put(LOGIN, found.login, { ...login, reuses: login.reuses + 1 });
  }

  ended(id, reason) {
    const login = this.#store.get(LOGIN, id);
    if (login && !login.ended_by) this.#store.put(LOGIN, id, { ...login, ended_by: reason });
  }
}

const isExpired = ({ exp }) => exp !== undefined && exp <= Date.now() / 1000;

// An ID token is remembered by its signature.
const signatureOf = (idToken) => idToken?.split('.')[2];
