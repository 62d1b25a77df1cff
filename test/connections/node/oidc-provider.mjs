// npm oidc-provider as a third party: PKCE required, refresh tokens that are replaced and end their grant when they are used again,
// and iss in its answers. Its pages for development ask whoever comes.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

// start starts it on a free port, and gives its issuer.
export async function start({ client, secret, callback, lifetime }) {
  let handle;
  const server = createServer((request, response) => handle(request, response));
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: client, client_secret: secret, redirect_uris: [callback], application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic',
    }],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
    features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
    ttl: { AccessToken: lifetime, RefreshToken: 30 * 24 * 3600, Grant: 30 * 24 * 3600, Session: 24 * 3600, Interaction: 3600, IdToken: 3600 },
  });
  handle = provider.callback();
  return issuer;
}

// tick does nothing: with every call comes the time.
export function tick() {}
