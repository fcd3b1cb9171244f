// Who has an account here. Passwords are kept as scrypt hashes with a small cost (this is a test
// server) and compared as UTF-8, not normalised.

import crypto from 'node:crypto';

const USER = 'User';

export class Accounts {
  #store;

  constructor(store) {
    this.#store = store;
    if (store.all(USER).length === 0) {
      this.add({ email: 'viewer@example.com', password: 'correct horse', name: 'Viewer' });
      this.add({ email: 'zoë.ünïcode@例え.jp', password: 'пароль-密码-🔑', name: '例え' });
    }
  }

  // Add an account, or replace the one with this e-mail address.
  add({ email, password, id = '', name = '' }) {
    const salt = crypto.randomBytes(8).toString('hex');
    this.#store.put(USER, email, {
      id: id || `u${crypto.randomBytes(4).toString('hex')}`,
      email,
      name: name || email.split('@')[0],
      salt,
      hash: hash(password, salt),
    });
  }

  list() {
    return this.#store.all(USER).map(([, { id, email, name }]) => ({ id, email, name }));
  }

  // The account, or nothing when address or password are wrong.
  check(email, password) {
    const user = this.#store.get(USER, email);
    const given = hash(password, user?.salt ?? '00');
    return user && crypto.timingSafeEqual(Buffer.from(user.hash), Buffer.from(given))
      ? user : undefined;
  }

  byId(id) {
    return this.list().find((user) => user.id === id);
  }

  // findAccount of oidc-provider.
  find(id) {
    const user = this.byId(id);
    if (!user) return undefined;
    const claims = {
      sub: id, email: user.email, email_verified: true, name: user.name,
    };
    return { accountId: id, claims: () => claims };
  }
}

function hash(password, salt) {
  const cost = { N: 256, r: 8, p: 1 };
  return crypto.scryptSync(password, Buffer.from(salt, 'hex'), 32, cost).toString('hex');
}
