// The pages a person sees. `form` comes from oidc-provider, with its token against forgery.

const SAFE = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;',
};
const safe = (text) => String(text).replace(/[&<>"']/g, (one) => SAFE[one]);

const page = (title, body) => `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title}</title>
</head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`;

const complaint = (text) => (text ? `<p role="alert">${safe(text)}</p>` : '');

export function loginPage(uid, wrong = '') {
  return page('Sign in', `${complaint(wrong)}
<form id="login" method="post" action="/interaction/${uid}/login">
  <input type="email" name="username" autofocus>
  <input type="password" name="password">
  <button type="submit">Sign in</button>
</form>
<form id="abort" method="post" action="/interaction/${uid}/abort"><button>Cancel</button></form>`);
}

export function consentPage(uid, client, scope) {
  return page('Allow access', `<p><b>${safe(client.clientName)}</b> asks for: ${safe(scope)}</p>
<form id="consent" method="post" action="/interaction/${uid}/consent"><button>Allow</button></form>
<form id="abort" method="post" action="/interaction/${uid}/abort"><button>Deny</button></form>`);
}

// The sources of oidc-provider's configuration

export function userCodeInputSource(ctx, form, _, error) {
  ctx.type = 'html';
  ctx.body = page('Enter code', `${complaint(error?.message)}
${form}
<button type="submit" form="op.deviceInputForm">Continue</button>`);
}

export function userCodeConfirmSource(ctx, form, client, _, code) {
  ctx.type = 'html';
  ctx.body = page('Confirm device', `<p><b>${safe(client.clientName)}</b> shows this code:</p>
<p><code>${safe(code)}</code></p>
${form}
<button type="submit" form="op.deviceConfirmForm">Continue</button>
<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">It does not</button>`);
}

export function successSource(ctx) {
  ctx.type = 'html';
  ctx.body = page('Signed in', '<p>You can go back to your device.</p>');
}

export function logoutSource(ctx, form) {
  ctx.type = 'html';
  ctx.body = page('Sign out?', `${form}
<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button type="submit" form="op.logoutForm">Stay signed in</button>`);
}

export function postLogoutSuccessSource(ctx) {
  ctx.type = 'html';
  ctx.body = page('Signed out', '<p>You are signed out.</p>');
}

export function renderError(ctx, out) {
  ctx.type = 'html';
  ctx.body = page('Error', complaint(`${out.error}: ${out.error_description ?? ''}`));
}
