/** A screen's title, which takes the focus when the screen opens, and the way back. */
import type { ComponentChildren } from 'preact';
import { Icon } from './icons.tsx';

interface HeadingProps {
  title: ComponentChildren;
  back?: { href: string; name: string };
  /** At its end: one thing to do. */
  children?: ComponentChildren;
}

export const Heading = ({ title, back, children }: HeadingProps) => (
  <header class="heading">
    {back !== undefined && (
      <a class="back" href={back.href}>
        <Icon name="back" />
        {back.name}
      </a>
    )}
    <div class="heading-line">
      <h1 tabIndex={-1}>{title}</h1>
      {children}
    </div>
  </header>
);
