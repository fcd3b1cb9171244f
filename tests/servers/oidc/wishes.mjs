// What service.py may ask of the process, one JSON object a line: {"wish": NAME, "number", …},
// answered by {"number", "result"} or, when it cannot be had, {"number", "error"}.

import { revokeGrant } from './adapter.mjs';

export function wishes({
  store, ledger, accounts, settings, keys,
}) {
  const known = {
    settings: (given) => Object.assign(settings, given),
    secret: () => keys.asker,
    users: () => accounts.list(),
    add_user: (given) => accounts.add(given),
    logins: () => ledger.logins(),
    trace: (given) => ledger.trace(given),
    end({ id }) {
      if (!ledger.has(id)) return false;
      revokeGrant(store, id);
      store.delete('Grant', id);
      ledger.ended(id, 'somebody else');
      return true;
    },
    forget: () => store.keepOnly('User'),
  };
  return ({ wish, number, ...given }) => {
    try {
      return { number, result: known[wish](given) ?? null };
    } catch (error) {
      return { number, error: String(error) };
    }
  };
}
