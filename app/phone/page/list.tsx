/** Groups of rows, as the phone's own settings have them. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Icon, type IconName } from './icons.tsx';

interface GroupProps {
  title?: string;
  /** Below the rows. */
  note?: ComponentChildren;
  children: ComponentChildren;
}

export function Group({ title, note, children }: GroupProps) {
  const id = useId();
  return (
    <section class="group" aria-labelledby={title === undefined ? undefined : id}>
      {title !== undefined && <h2 id={id}>{title}</h2>}
      <div class="card">{children}</div>
      {note !== undefined && note !== null && <p class="note">{note}</p>}
    </section>
  );
}

interface LinkRowProps {
  href: string;
  icon?: ComponentChildren;
  title: ComponentChildren;
  detail?: ComponentChildren;
  value?: ComponentChildren;
}

export const LinkRow = ({ href, icon, title, detail, value }: LinkRowProps) => (
  <a class="row" href={href}>
    {icon}
    <span class="row-text">
      <span class="row-title">{title}</span>
      {detail !== undefined && <span class="row-detail">{detail}</span>}
    </span>
    {value !== undefined && <span class="row-value">{value}</span>}
    <Icon name="chevron" class="chevron" />
  </a>
);

interface ActionRowProps {
  label: ComponentChildren;
  icon?: IconName;
  tone?: 'danger';
  disabled?: boolean;
  onTap(): void;
}

export const ActionRow = ({ label, icon, tone, disabled = false, onTap }: ActionRowProps) => (
  <button
    type="button"
    class={`row action ${tone ?? ''}`}
    disabled={disabled}
    onClick={() => onTap()}
  >
    {icon !== undefined && <Icon name={icon} />}
    <span class="row-text">{label}</span>
  </button>
);

export const FactRow = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div class="row fact">
    <span class="fact-name">{name}</span>
    <span class="fact-value">{children}</span>
  </div>
);

interface SwitchRowProps {
  label: ComponentChildren;
  detail?: ComponentChildren;
  isOn: boolean;
  disabled?: boolean;
  onChange(isOn: boolean): void;
}

/** Shows what is so, not what was tapped: the answer of the phone behind it turns it. */
export function SwitchRow({ label, detail, isOn, disabled = false, onChange }: SwitchRowProps) {
  const ids = { label: useId(), detail: useId() };
  return (
    <label class="row">
      <span class="row-text">
        <span class="row-title" id={ids.label}>
          {label}
        </span>
        {detail !== undefined && (
          <span class="row-detail" id={ids.detail}>
            {detail}
          </span>
        )}
      </span>
      <input
        type="checkbox"
        role="switch"
        class="switch"
        checked={isOn}
        disabled={disabled}
        aria-labelledby={ids.label}
        aria-describedby={detail === undefined ? undefined : ids.detail}
        onChange={(event) => {
          const wanted = event.currentTarget.checked;
          event.currentTarget.checked = isOn;
          onChange(wanted);
        }}
      />
    </label>
  );
}

/** Read out when it changes, beside what shows it to the eye. */
export const Said = ({ text }: { text: string | null }) => (
  <span class="unseen" role="status">
    {text}
  </span>
);

export const Problem = ({ text }: { text: string | null }) => (
  <div role="alert">{text !== null && <p class="problem">{text}</p>}</div>
);
