import { Icon } from './icons.tsx';
import { hrefOf, tabs, type Tab } from './route.ts';

const names: Record<Tab, string> = {
  home: 'Home',
  identities: 'Identities',
  activity: 'Activity',
  devices: 'Devices',
  settings: 'Settings',
};

export const TabBar = ({ open }: { open: Tab }) => (
  <nav class="tab-bar" aria-label="Tabs">
    <ul>
      {tabs.map((tab) => (
        <li key={tab}>
          <a href={hrefOf(tab)} aria-current={tab === open ? 'page' : undefined}>
            <Icon name={tab} />
            <span>{names[tab]}</span>
          </a>
        </li>
      ))}
    </ul>
  </nav>
);
