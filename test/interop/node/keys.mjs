// privateKey gives the private key that a client signs its assertions with: a JWK, and its algorithm as WebCrypto calls it.
export function privateKey({ jwk, algorithm }) {
  return crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']);
}
