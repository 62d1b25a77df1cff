// An MCP client on either SDK: what they have in common, and nothing of it is set up but where the server is and who the client is.
import { secret } from './secrets.mjs';

// mcp gives the functions that a test calls. sdk has the classes of an SDK.
export function mcp({ Client, StreamableHTTPClientTransport, ClientCredentialsProvider, PrivateKeyJwtProvider }) {
  let client, provider;
  const requests = [];

  // What the SDK asks of the authorization server, without anything secret.
  async function watched(input, init) {
    const url = new URL(input instanceof Request ? input.url : input);
    const form = init?.body instanceof URLSearchParams ? init.body : new URLSearchParams();
    const response = await fetch(input, init);
    requests.push({
      method: init?.method ?? 'GET',
      path: url.pathname,
      status: response.status,
      scope: form.get('scope'),
      resource: form.getAll('resource'),
    });
    return response;
  }

  function providerOf({ id, secret: clientSecret, key, issuer }) {
    if (key) {
      return new PrivateKeyJwtProvider({ clientId: id, privateKey: key.jwk, algorithm: key.algorithm, expectedIssuer: issuer });
    }
    return new ClientCredentialsProvider({ clientId: id, clientSecret, expectedIssuer: issuer });
  }

  return {
    async connect({ url, client: own }) {
      provider = providerOf(own);
      client = new Client({ name: 'interop', version: '1.0.0' });
      try {
        await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider: provider, fetch: watched }));
      } finally {
        token();
      }
      return client.getServerVersion();
    },
    async list() {
      return (await client.listTools()).tools.map(({ name }) => name);
    },
    async call({ name }) {
      try {
        const { content, isError } = await client.callTool({ name, arguments: {} });
        if (isError) throw new Error(content[0].text);
        return JSON.parse(content[0].text);
      } finally {
        token();
      }
    },
    async close() {
      await client.close();
    },
    // requests gives what was asked since it was called last.
    requests() {
      return requests.splice(0);
    },
    token,
  };

  function token() {
    return secret(provider.tokens()?.access_token);
  }
}
