/* oxlint-disable unicorn/consistent-function-scoping -- the page gets this one function */
/** In a page: what `navigator.credentials` is there, with an authenticator that runs elsewhere. */
(() => {
  const encode = (source) => {
    const bytes = ArrayBuffer.isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
    return btoa(String.fromCharCode(...bytes))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '');
  };
  const decode = (text) =>
    Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) =>
      one.charCodeAt(0),
    ).buffer;

  async function ask(method, { publicKey, signal }) {
    const answering = globalThis.askAuthenticator({
      method,
      origin: location.origin,
      rpId: publicKey.rpId ?? publicKey.rp?.id ?? location.hostname,
      challenge: encode(publicKey.challenge),
      allowed: (publicKey.allowCredentials ?? []).map(({ id }) => encode(id)),
      prf: publicKey.extensions?.prf?.eval ? encode(publicKey.extensions.prf.eval.first) : null,
    });
    const aborted = new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
    });
    const answer = await Promise.race([answering, aborted]);
    if (answer === null) throw new DOMException('not allowed', 'NotAllowedError');
    return credentialOf(answer);
  }

  function credentialOf({ id, clientDataJSON, authenticatorData, signature, extensions }) {
    const results = structuredClone(extensions);
    if (results.prf?.results) results.prf.results.first = decode(results.prf.results.first);
    const response = dressed(
      signature ? AuthenticatorAssertionResponse : AuthenticatorAttestationResponse,
      {
        clientDataJSON: decode(clientDataJSON),
        authenticatorData: decode(authenticatorData),
        ...(signature && { signature: decode(signature) }),
        getAuthenticatorData: () => decode(authenticatorData),
        getTransports: () => ['internal'],
      },
    );
    return dressed(PublicKeyCredential, {
      id,
      rawId: decode(id),
      type: 'public-key',
      authenticatorAttachment: 'platform',
      response,
      getClientExtensionResults: () => results,
    });
  }

  /** Members of its own, on an object that passes for one of that kind. */
  function dressed(kind, members) {
    const descriptors = Object.entries(members).map(([name, value]) => [name, { value }]);
    return Object.create(kind.prototype, Object.fromEntries(descriptors));
  }

  CredentialsContainer.prototype.create = (options) => ask('create', options);
  CredentialsContainer.prototype.get = (options) => ask('get', options);
})();
