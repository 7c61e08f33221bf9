// A chart of Apache ECharts that may be taken away before it was drawn: NiceGUI's own throws then, because it
// draws one turn of the event loop after it is mounted and disposes of what is not there yet.
import { echarts } from "nicegui-echart";
import { convertDynamicProperties } from "../../static/utils/dynamic_properties.js";

export default {
  template: "<div></div>",
  mounted() {
    this.coming = setTimeout(() => this.draw(), 0); // the classes that give it its size are applied by then
  },
  beforeUnmount() {
    clearTimeout(this.coming);
    this.resized?.disconnect();
    this.chart?.dispose();
  },
  methods: {
    draw() {
      this.chart = echarts.init(this.$el, null, { renderer: this.renderer });
      this.chart.on("click", (event) => this.$emit("componentClick", event));
      this.resized = new ResizeObserver(() => this.chart.resize());
      this.resized.observe(this.$el);
      this.update_chart();
    },
    update_chart() {
      if (!this.chart) return; // it is drawn with the newest options
      convertDynamicProperties(this.options, true);
      this.chart.setOption(this.options, { notMerge: true });
    },
  },
  props: { options: Object, enable3d: Boolean, renderer: String, theme: String },
};
