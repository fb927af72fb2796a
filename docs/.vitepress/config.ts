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
      group('Begin', {
        'getting-started': 'Getting started',
        'why-not-use-factory': 'Why not useFactory',
        'moving-here': 'Moving here',
        versions: 'Versions',
      }),
      group('Clients', {
        configuration: 'Configuration',
        redis: 'Redis',
        'node-redis': 'node-redis',
        aws: 'AWS',
        'custom-clients': 'Custom clients',
        tenants: 'A client for each tenant',
        neighbours: 'Neighbours',
        recipes: 'Recipes',
      }),
      group('Test', {
        'unit-tests': 'Unit tests',
        testing: 'Testing',
      }),
      group('Run', {
        troubleshooting: 'Troubleshooting',
        health: 'Health',
        metrics: 'Metrics',
        shutdown: 'Shutdown',
        'cold-start': 'Cold start',
        bundling: 'Bundling',
      }),
      group('Facts', {
        reference: 'Reference',
        performance: 'Performance',
        reliability: 'Reliability',
      }),
      group('The project', {
        architecture: 'Architecture',
        CONTRIBUTING: 'Contributing',
        SECURITY: 'Security',
      }),
      { text: 'API', link: '/api/', collapsed: true, items: apiSidebar() },
    ],
  },
});

/** A group of the sidebar, from the titles of its pages. */
function group(text: string, titles: Readonly<Record<string, string>>): DefaultTheme.SidebarItem {
  return { text, items: Object.entries(titles).map(([page, title]) => ({ text: title, link: `/${page}` })) };
}

/** What typedoc has written beside the API reference, which `npm run docs` makes first. */
function apiSidebar(): DefaultTheme.SidebarItem[] {
  const file = fileURLToPath(new URL('../api/typedoc-sidebar.json', import.meta.url));
  if (!existsSync(file)) return [];
  return JSON.parse(readFileSync(file, 'utf8')) as DefaultTheme.SidebarItem[];
}
