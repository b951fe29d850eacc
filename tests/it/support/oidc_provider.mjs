// oidc-provider in the shape of a Microsoft tenant or of Google:
// `node oidc_provider.mjs <folder with node_modules> microsoft|google|google-unticked|google-denied <account> <redirect URI>`.
// Prints its port once it listens; ends when its standard input does.

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const TENANT = 'peer.example';
const SHAPE = process.argv[3];
const IS_GOOGLE = SHAPE.startsWith('google');
const MOUNT = IS_GOOGLE ? '' : `/${TENANT}/v2.0`;
const MAIL = 'https://mail.google.com/';
const [ACCOUNT, REDIRECT] = process.argv.slice(4);
const HOUR = 3600;

const library = join(process.argv[2], 'node_modules/oidc-provider/lib/index.js');
const { default: Provider } = await import(pathToFileURL(library));

function configuration() {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  return {
    jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['only for a test'] },
    scopes: IS_GOOGLE
      ? ['openid', 'email', MAIL]
      : ['openid', 'profile', 'email', 'offline_access', 'User.Read', 'Mail.ReadWrite', 'Mail.Send'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    // Google tells the address in the id_token itself.
    conformIdTokenClaims: !IS_GOOGLE,
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id, email_verified: true, name: 'Tickets', preferred_username: id }),
    }),
    clients: [{
      client_id: 'peer-app',
      client_secret: 'peer-secret',
      redirect_uris: [REDIRECT],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
    }],
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      revocation: { enabled: IS_GOOGLE },
    },
    interactions: { url: (_context, interaction) => `${MOUNT}/interaction/${interaction.uid}` },
    issueRefreshToken: () => true,
    rotateRefreshToken: () => !IS_GOOGLE,
    ttl: { AccessToken: HOUR, AuthorizationCode: 60, Grant: 24 * HOUR, IdToken: HOUR, Interaction: 60,
      RefreshToken: 24 * HOUR, Session: HOUR },
  };
}

// Whoever is asked to sign in or to consent does so, or denies it where that is what is played.
async function agree(provider, request, response) {
  const { prompt, params } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: ACCOUNT } });
  }
  if (SHAPE === 'google-denied') {
    return provider.interactionFinished(request, response, { error: 'access_denied' });
  }
  const grant = new provider.Grant({ accountId: ACCOUNT, clientId: params.client_id });
  const isRefused = (scope) => SHAPE === 'google-unticked' && scope === MAIL;
  const asked = params.scope.split(' ');
  grant.addOIDCScope(asked.filter((scope) => !isRefused(scope)).join(' '));
  grant.rejectOIDCScope(asked.filter(isRefused).join(' '));
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result);
}

// What Graph says about a token's owner.
async function me(provider, request, response) {
  const token = await provider.AccessToken.find((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  response.writeHead(token ? 200 : 401, { 'content-type': 'application/json' });
  response.end(JSON.stringify(token ? { mail: token.accountId, userPrincipalName: token.accountId } : {}));
}

async function route(provider, request, response) {
  if (request.url === '/v1.0/me') return me(provider, request, response);
  if (!request.url.startsWith(`${MOUNT}/`)) return response.writeHead(404).end();
  if (request.url.startsWith(`${MOUNT}/interaction/`)) return agree(provider, request, response);
  // Microsoft gives lasting access without being asked for a consent page, this provider only with one.
  request.originalUrl = request.url.replace(/prompt=select_account(\+consent)?/, 'prompt=consent');
  request.url = request.originalUrl.slice(MOUNT.length);
  return provider.callback()(request, response);
}

let provider;
const server = createServer((request, response) => {
  route(provider, request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
provider = new Provider(`http://127.0.0.1:${port}${MOUNT}`, configuration());
console.log(port);
// Nobody reads what the library has to say later.
process.stdout.on('error', () => {});
process.stdin.on('close', () => process.exit()).resume();
