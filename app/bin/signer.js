#!/usr/bin/env node
import { launch, stateHome } from './launch.js';

await launch('signer', stateHome('SIGNER_HOME', '.remote-signer'), 'app/phone/signer');
