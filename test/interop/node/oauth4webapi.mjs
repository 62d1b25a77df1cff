// A client and a resource server made with oauth4webapi. Every answer goes through its own checks of the RFCs.
import * as oauth from 'oauth4webapi';
import { privateKey } from './keys.mjs';
import { secret } from './secrets.mjs';

// Everything is on loopback.
const options = { [oauth.allowInsecureRequests]: true };

let as;

export async function discover({ issuer, algorithm }) {
  const url = new URL(issuer);
  const response = await oauth.discoveryRequest(url, { ...options, algorithm });
  as = await oauth.processDiscoveryResponse(url, response);
  return as;
}

export async function clientCredentials({ client, parameters }) {
  const { id, authentication } = await authenticate(client);
  const response = await oauth.clientCredentialsGrantRequest(as, id, authentication, new URLSearchParams(parameters), options);
  const token = await oauth.processClientCredentialsResponse(as, id, response);
  secret(token.access_token);
  return token;
}

export async function introspect({ client, token }) {
  const { id, authentication } = await authenticate(client);
  const response = await oauth.introspectionRequest(as, id, authentication, token, options);
  return oauth.processIntrospectionResponse(as, id, response);
}

export async function revoke({ client, token }) {
  const { id, authentication } = await authenticate(client);
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, id, authentication, token, options));
}

// validate is what a resource server does with a call: RFC 9068 section 4.
export async function validate({ token, audience }) {
  const request = new Request('https://resource.example/', { headers: { Authorization: `Bearer ${token}` } });
  return oauth.validateJwtAccessToken(as, request, audience, options);
}

// protectedResource is RFC 9728 section 5: a call without a token is refused, the challenge says where the metadata are, and they
// must be those of the URL that was called.
export async function protectedResource({ url, challenge }) {
  const [{ parameters }] = await challenges(challenge);
  const response = await fetch(parameters.resource_metadata, { headers: { accept: 'application/json' } });
  return { parameters, metadata: await oauth.processResourceDiscoveryResponse(new URL(url), response) };
}

// wellKnown is RFC 9728 section 3.1, where the resource's own host serves the document.
export async function wellKnown({ url }) {
  const resource = new URL(url);
  return oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, options));
}

async function challenges(url) {
  try {
    await oauth.protectedResourceRequest('nonsense', 'GET', new URL(url), undefined, null, options);
  } catch (error) {
    if (error.code === oauth.WWW_AUTHENTICATE_CHALLENGE) return error.cause;
    throw error;
  }
  throw new Error('a call with a token that is nonsense was admitted');
}

async function authenticate({ id, method, secret: clientSecret, key }) {
  switch (method) {
    case 'client_secret_basic':
      return { id: { client_id: id }, authentication: oauth.ClientSecretBasic(clientSecret) };
    case 'client_secret_post':
      return { id: { client_id: id }, authentication: oauth.ClientSecretPost(clientSecret) };
    case 'private_key_jwt':
      return { id: { client_id: id }, authentication: oauth.PrivateKeyJwt(await privateKey(key)) };
  }
  throw new Error(`no such method: ${method}`);
}
