/** Whether the person asked their system for less motion. */
export const isCalm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
