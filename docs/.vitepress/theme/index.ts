import { useData, useRouter, type Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { nextTick, onMounted, watch } from 'vue';

/** The default theme, and Mermaid diagrams: without this a page shows their source. */
export default {
  extends: DefaultTheme,
  setup() {
    const { isDark } = useData();
    const router = useRouter();
    onMounted(drawDiagrams);
    watch([() => router.route.path, isDark], () => nextTick(drawDiagrams));

    async function drawDiagrams(): Promise<void> {
      const diagrams = document.querySelectorAll<HTMLElement>('.mermaid');
      if (diagrams.length === 0) return;
      const { default: mermaid } = await import('mermaid'); // large, and few pages need it
      mermaid.initialize({ startOnLoad: false, theme: isDark.value ? 'dark' : 'default' });
      for (const diagram of diagrams) {
        diagram.dataset['source'] ??= diagram.textContent; // drawing replaces it
        diagram.textContent = diagram.dataset['source'];
        delete diagram.dataset['processed'];
      }
      await mermaid.run({ nodes: [...diagrams] });
    }
  },
} satisfies Theme;
