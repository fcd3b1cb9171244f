// What oidc-provider takes for granted and Node 18 (Debian 12) does not have. Imported before it.

import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
URL.parse ??= (address, base) => {
  try {
    return new URL(address, base);
  } catch {
    return null;
  }
};
