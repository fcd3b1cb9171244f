// Login and consent: the pages that oidc-provider leaves to whoever runs it.

import { consentPage, loginPage } from './pages.mjs';

const PATH = /^\/interaction\/([\w-]+)(?:\/(login|consent|abort))?$/;
const MOST = 64 * 1024;

export function interactions(provider, accounts) {
  return async (ctx, next) => {
    const [, uid, action] = ctx.path.match(PATH) ?? [];
    if (!uid || ctx.method !== (action ? 'POST' : 'GET')) return next();
    ctx.set('cache-control', 'no-store');
    // Only for the browser that has this interaction's cookie.
    const interaction = await provider.interactionDetails(ctx.req, ctx.res);
    const { prompt, params } = interaction;
    ctx.assert(interaction.uid === uid, 400, 'another interaction');
    ctx.assert([undefined, prompt.name, 'abort'].includes(action), 400, 'not now');
    if (!action) {
      const client = await provider.Client.find(params.client_id);
      ctx.type = 'html';
      ctx.body = prompt.name === 'login' ? loginPage(uid) : consentPage(uid, client, params.scope);
      return undefined;
    }
    const result = await results[action](provider, accounts, interaction, await form(ctx));
    if (!result) {
      ctx.type = 'html';
      ctx.body = loginPage(uid, 'Wrong e-mail address or password');
      return undefined;
    }
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
    ctx.status = 303;
    return undefined;
  };
}

const results = {
  async login(_, accounts, __, given) {
    const user = accounts.check(given.get('username') ?? '', given.get('password') ?? '');
    return user && { login: { accountId: user.id } };
  },
  async consent(provider, _, { grantId, session, params, prompt: { details } }) {
    const grant = grantId
      ? await provider.Grant.find(grantId)
      : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
    if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims);
    return { consent: { grantId: await grant.save() } };
  },
  async abort() {
    return { error: 'access_denied', error_description: 'the user said no' };
  },
};

async function form(ctx) {
  let text = '';
  ctx.req.setEncoding('utf8');
  for await (const part of ctx.req) {
    text += part;
    ctx.assert(text.length < MOST, 413);
  }
  return new URLSearchParams(text);
}
