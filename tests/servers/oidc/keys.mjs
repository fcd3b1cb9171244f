// The keys of this directory, made once: signing, cookies, and the secret of the client that asks.

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export function loadKeys(directory) {
  const file = path.join(directory, 'keys.json');
  if (!fs.existsSync(file)) {
    fs.writeFileSync(`${file}.new`, JSON.stringify(newKeys()), { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
  }
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function newKeys() {
  // As text in between: Node 20 stands still for ever where it collects the garbage of the making
  // of a key just while that key is exported as a JWK.
  const { privateKey } = crypto.generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const jwk = crypto.createPrivateKey(privateKey).export({ format: 'jwk' });
  const signing = { ...jwk, use: 'sig', alg: 'RS256', kid: 'one' };
  return { jwks: { keys: [signing] }, cookies: [random()], asker: random() };
}

const random = () => crypto.randomBytes(32).toString('base64url');
