import { describe, expect, it } from 'vitest';
import {
  closeCodes,
  type PageMessage,
  type SignerMessage,
} from '../../adapters/phone-page/protocol.ts';
import type { PageConnection } from '../../adapters/phone-page/server.ts';
import { createPages } from '../../app/phone/web/pages.ts';
import type { PageScreen } from '../../app/phone/web/page-screen.ts';
import { state } from './scenes.ts';

function rig() {
  const pages = createPages();
  const left: string[] = [];
  const heard: [string, PageMessage['type']][] = [];
  pages.attach({ stateFor: () => state(), perform: async () => null }, {
    receive: (pageId: string, { type }: PageMessage) => void heard.push([pageId, type]),
    left: (pageId: string) => void left.push(pageId),
    current: () => null,
  } as unknown as PageScreen);

  function connect(id: string, browserId = 'phone') {
    const sent: SignerMessage['type'][] = [];
    const closed: number[] = [];
    const listeners: ((message: PageMessage) => void)[] = [];
    const ends: (() => void)[] = [];
    const connection: PageConnection = {
      id,
      browserId,
      send: ({ type }) => void sent.push(type),
      onMessage: (listener) => void listeners.push(listener),
      onClose: (listener) => void ends.push(listener),
      close: (code) => void closed.push(code),
    };
    pages.connected(connection);
    const isSeen = (document: string, visible = true) =>
      listeners.forEach((listen) => listen({ type: 'page.visibility', document, visible }));
    const end = () => ends.forEach((tell) => tell());
    return { sent, closed, end, isSeen };
  }
  return { pages, left, heard, connect };
}

describe('the pages that are open', () => {
  it('are told nothing before they say something', () => {
    const { pages, connect } = rig();
    const page = connect('a');
    expect([page.sent, pages.count()]).toEqual([[], 0]);
    page.isSeen('one');
    expect([page.sent, pages.count()]).toEqual([['state'], 1]);
    expect(pages.isAnyVisible()).toBe(true);
    page.isSeen('one', false);
    expect(pages.isAnyVisible()).toBe(false);
  });

  it('have one connection each: the older one of the same page is dead', () => {
    const { pages, left, connect } = rig();
    const old = connect('old');
    old.isSeen('one');
    const again = connect('again');
    again.isSeen('one');
    expect(old.closed).toEqual([closeCodes.ended]);
    // At once, whenever its socket ends: a request that it was verifying can be approved anew.
    expect(left).toEqual(['old']);
    old.end();
    expect(left).toEqual(['old']);
    expect(pages.count()).toBe(1);
    expect(again.closed).toEqual([]);
  });

  it('are not closed by a word of their older connection that comes late', () => {
    const { left, connect } = rig();
    const old = connect('old');
    const again = connect('again');
    again.isSeen('one');
    old.isSeen('one');
    expect(again.closed).toEqual([]);
    again.isSeen('one', false);
    expect(old.closed).toEqual([closeCodes.ended]);
    expect(left).toEqual(['old']);
  });

  it('are two in two windows, and in two browsers that say the same', () => {
    const { pages, left, connect } = rig();
    connect('a').isSeen('one');
    connect('b').isSeen('two');
    connect('c', 'laptop').isSeen('one');
    expect(left).toEqual([]);
    expect(pages.count()).toBe(3);
  });
});
