// Verifies access tokens offline with jose: a resource server that knows the JWK set and no other endpoint.
import { createRemoteJWKSet, jwtVerify } from 'jose';

let keys;

export function follow({ jwks }) {
  keys = createRemoteJWKSet(new URL(jwks));
}

export async function verify({ token, issuer, audience }) {
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer,
    audience,
    typ: 'at+jwt',
    requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
  });
  return { payload, kid: protectedHeader.kid, alg: protectedHeader.alg };
}
