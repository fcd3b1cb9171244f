// The settings that make the answers differ from what oidc-provider says: for a client's checks.

const DISCOVERY = new Set([
  '/.well-known/openid-configuration', '/.well-known/oauth-authorization-server',
]);

export function twists(settings) {
  return async (ctx, next) => {
    if (ctx.path === '/session/end' && ctx.method === 'POST' && !settings.end_session_post) return;
    await next();
    const { body } = ctx;
    if (typeof body !== 'object' || body === null) return;
    if (DISCOVERY.has(ctx.path) && ctx.status === 200) {
      if (settings.discovery_issuer) body.issuer = settings.discovery_issuer;
      if (settings.endpoint_host) {
        const moved = new URL(body[settings.endpoint]);
        moved.host = settings.endpoint_host;
        body[settings.endpoint] = moved.href;
      }
    } else if (ctx.path === '/device/auth' && ctx.status === 200 && settings.device_interval) {
      body.interval = settings.device_interval;
    } else if (ctx.path === '/token' && body.error === 'authorization_pending') {
      if (settings.slow_down) ctx.body = { error: 'slow_down' };
    }
  };
}
