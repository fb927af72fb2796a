import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type DefaultTheme } from 'vitepress';

/** The pages of docs/, as they are on GitHub. A link to a page that is not there fails the build; headings, a test checks. */
export default defineConfig({
  title: 'nestjs-clients',
  description: 'Redis, DynamoDB and any other long-lived client in NestJS',
  lang: 'en',
  cleanUrls: true,
  rewrites: { 'README.md': 'index.md' },
  vite: { build: { chunkSizeWarningLimit: 2_000 } }, // kB: Mermaid, which only pages with a diagram load
  markdown: {
    config(markdown) {
      const { fence } = markdown.renderer.rules;
      markdown.renderer.rules.fence = (tokens, index, ...rest) => {
        const { info, content } = tokens[index] ?? {};
        if (info !== 'mermaid') return fence?.(tokens, index, ...rest) ?? '';
        return `<pre class="mermaid" v-pre>${markdown.utils.escapeHtml(content ?? '')}</pre>`; // drawn by the theme
      };
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guides', link: '/getting-started' },
      { text: 'Reference', link: '/reference' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      {
        text: 'Begin',
        items: [
          { text: 'Getting started', link: '/getting-started' },
          { text: 'Why not useFactory', link: '/why-not-use-factory' },
          { text: 'Moving here', link: '/moving-here' },
          { text: 'Versions', link: '/versions' },
        ],
      },
      {
        text: 'Clients',
        items: [
          { text: 'Configuration', link: '/configuration' },
          { text: 'Redis', link: '/redis' },
          { text: 'node-redis', link: '/node-redis' },
          { text: 'AWS', link: '/aws' },
          { text: 'Custom clients', link: '/custom-clients' },
          { text: 'A client for each tenant', link: '/tenants' },
          { text: 'Neighbours', link: '/neighbours' },
          { text: 'Recipes', link: '/recipes' },
        ],
      },
      {
        text: 'Test',
        items: [
          { text: 'Unit tests', link: '/unit-tests' },
          { text: 'Testing', link: '/testing' },
        ],
      },
      {
        text: 'Run',
        items: [
          { text: 'Troubleshooting', link: '/troubleshooting' },
          { text: 'Health', link: '/health' },
          { text: 'Metrics', link: '/metrics' },
          { text: 'Shutdown', link: '/shutdown' },
          { text: 'Cold start', link: '/cold-start' },
          { text: 'Bundling', link: '/bundling' },
        ],
      },
      {
        text: 'Facts',
        items: [
          { text: 'Reference', link: '/reference' },
          { text: 'Performance', link: '/performance' },
          { text: 'Reliability', link: '/reliability' },
        ],
      },
      {
        text: 'The project',
        items: [
          { text: 'Architecture', link: '/architecture' },
          { text: 'Contributing', link: '/CONTRIBUTING' },
          { text: 'Security', link: '/SECURITY' },
        ],
      },
      { text: 'API', link: '/api/', collapsed: true, items: apiSidebar() },
    ],
  },
});

/** What typedoc has written beside the API reference, which `npm run docs` makes first. */
function apiSidebar(): DefaultTheme.SidebarItem[] {
  const file = fileURLToPath(new URL('../api/typedoc-sidebar.json', import.meta.url));
  if (!existsSync(file)) return [];
  return JSON.parse(readFileSync(file, 'utf8')) as DefaultTheme.SidebarItem[];
}
