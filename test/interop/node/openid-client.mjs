// The same as oauth4webapi.mjs, with openid-client, which has a way of its own to discover and to be set up.
import * as client from 'openid-client';
import { privateKey } from './keys.mjs';
import { secret } from './secrets.mjs';

let server;

export async function discover({ issuer, algorithm }) {
  const config = await client.discovery(new URL(issuer), 'nobody', undefined, client.None(), {
    algorithm,
    execute: [client.allowInsecureRequests],
  });
  server = config.serverMetadata();
  return server;
}

export async function clientCredentials({ client: own, parameters }) {
  const token = await client.clientCredentialsGrant(await configure(own), new URLSearchParams(parameters));
  secret(token.access_token);
  return token;
}

export async function introspect({ client: own, token }) {
  return client.tokenIntrospection(await configure(own), token);
}

export async function revoke({ client: own, token }) {
  await client.tokenRevocation(await configure(own), token);
}

async function configure({ id, method, secret: clientSecret, key }) {
  const authentication = {
    client_secret_basic: () => client.ClientSecretBasic(clientSecret),
    client_secret_post: () => client.ClientSecretPost(clientSecret),
    private_key_jwt: async () => client.PrivateKeyJwt(await privateKey(key)),
  }[method];
  const config = new client.Configuration(server, id, undefined, await authentication());
  client.allowInsecureRequests(config); // everything is on loopback
  return config;
}
