// An MCP server that knows nothing of OAuth: whoever gets through to it is believed to be who the headers say.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

// serve listens on loopback and gives the address.
export async function serve() {
  const sessions = new Map();
  const listener = createServer(async (request, response) => {
    const known = sessions.get(request.headers['mcp-session-id']);
    await (known ?? (await newSession(sessions))).handleRequest(request, response);
  });
  await new Promise((ready) => listener.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${listener.address().port}`;
}

async function newSession(sessions) {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, transport),
  });
  const server = new McpServer({ name: 'node', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Tells who is calling' }, ({ requestInfo }) => ({
    content: [{ type: 'text', text: JSON.stringify(identity(requestInfo.headers)) }],
  }));
  await server.connect(transport);
  return transport;
}

function identity(headers) {
  return {
    client: headers['x-claviger-client-id'],
    account: headers['x-claviger-account'],
    scope: headers['x-claviger-scope'],
    token: headers.authorization ? 'passed on' : 'kept back',
  };
}
