// The parts of Apache ECharts that the HTML report uses; build.sh bundles them.
import * as echarts from "echarts/core";
import { LineChart, BarChart, HeatmapChart, ScatterChart, CustomChart } from "echarts/charts";
import { TooltipComponent, GridComponent, LegendComponent, MarkLineComponent, VisualMapComponent, ToolboxComponent, AriaComponent } from "echarts/components";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";
echarts.use([LineChart, BarChart, HeatmapChart, ScatterChart, CustomChart, TooltipComponent, GridComponent, LegendComponent, MarkLineComponent, VisualMapComponent, ToolboxComponent, AriaComponent, CanvasRenderer, SVGRenderer]);
globalThis.echarts = echarts;
