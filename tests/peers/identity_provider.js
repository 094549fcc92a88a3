// An OpenID provider on loopback with three users and one client. Arguments: the client's id, its secret, and where it
// is called back. Prints its issuer once it listens.

import { createServer } from 'node:http';
import Provider, { interactionPolicy } from 'oidc-provider';

const [clientId, clientSecret, redirectUri] = process.argv.slice(-3);

const users = {
  ann: { preferred_username: 'ann', name: 'Ann Admin', email: 'ann@example.org', groups: ['staff', 'redflash-admins'] },
  vera: { preferred_username: 'vera', name: 'Vera Viewer', email: 'vera@example.org', groups: ['redflash-viewers'] },
  otto: { preferred_username: 'otto', name: 'Otto Other', email: 'otto@example.org', groups: ['staff'] },
};

// A login counts as consent, to a native client too.
const policy = interactionPolicy.base();
policy.get('consent').checks.remove('native_client_prompt');

const configuration = {
  interactions: { policy },
  clients: [{
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [redirectUri],
    // Of a native client any port on loopback is accepted, so that it need not listen yet.
    application_type: 'native',
  }],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'], groups: ['groups'] },
  cookies: { keys: ['a key for the cookies of a test'] },
  async findAccount(_, id) {
    const user = users[id];
    return user && { accountId: id, claims: () => ({ sub: id, ...user }) };
  },
  async loadExistingGrant({ oidc: { provider, client, session, params } }) {
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  },
};

const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on('request', new Provider(issuer, configuration).callback());
  console.log(`the issuer is ${issuer}`);
});
