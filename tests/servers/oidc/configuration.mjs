// The configuration of oidc-provider: clients, claims, lifetimes, and which features are on.

import * as pages from './pages.mjs';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const SCOPE = 'openid email profile offline_access';

// The client that asks the introspection endpoint on behalf of tests.
export const ASKER = 'stand-in';

export function configuration({
  adapter, accounts, keys, settings,
}) {
  const seconds = (name) => () => Math.max(1, Math.round(settings[name]));
  return {
    adapter,
    jwks: keys.jwks,
    // The end_session_endpoint takes POST as well, for which these cookies must be SameSite=None.
    enableHttpPostMethods: true,
    cookies: { keys: keys.cookies, long: { httpOnly: true, sameSite: 'none', secure: true } },
    clockTolerance: 0,
    clients: clients(keys.asker),
    scopes: SCOPE.split(' '),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    // OpenID Connect Core 5.4: with an access token, name and address are asked for at userinfo.
    conformIdTokenClaims: true,
    findAccount: (_, id) => accounts.find(id),
    rotateRefreshToken: true,
    renderError: pages.renderError,
    ttl: {
      AccessToken: seconds('access_lifetime'),
      RefreshToken: seconds('refresh_lifetime'),
      DeviceCode: seconds('device_lifetime'),
      IdToken: 3600,
      Interaction: 3600,
      Session: 14 * 86400,
      Grant: 366 * 86400,
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: pages.userCodeInputSource,
        userCodeConfirmSource: pages.userCodeConfirmSource,
        successSource: pages.successSource,
      },
      introspection: {
        enabled: true,
        allowedPolicy: (_, client, token) => [ASKER, token.clientId].includes(client.clientId),
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_, client, token) => client.clientId === token.clientId,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: pages.logoutSource,
        postLogoutSuccessSource: pages.postLogoutSuccessSource,
      },
    },
  };
}

function clients(secret) {
  const code = {
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: SCOPE,
    token_endpoint_auth_method: 'none',
  };
  const device = {
    grant_types: [DEVICE, 'refresh_token'], response_types: [], redirect_uris: [], scope: SCOPE,
  };
  return [
    {
      ...device,
      client_id: 'sessionkeeper',
      client_name: 'Sessionkeeper',
      token_endpoint_auth_method: 'none',
    },
    {
      ...device,
      client_id: 'sessionkeeper-confidential',
      client_name: 'Sessionkeeper with a secret',
      client_secret: 'a secret that is in this file',
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      ...code,
      client_id: 'sessionkeeper-loopback',
      client_name: 'Sessionkeeper on this machine',
      // At any port: RFC 8252, section 7.3.
      redirect_uris: ['http://127.0.0.1/', 'http://127.0.0.1/callback', 'http://[::1]/callback'],
    },
    {
      ...code,
      client_id: 'sessionkeeper-paste',
      client_name: 'Sessionkeeper by hand',
      redirect_uris: ['https://app.home-demo.example/signed-in'],
    },
    {
      client_id: ASKER,
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: [],
      response_types: [],
      redirect_uris: [],
    },
  ];
}
