package reports

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts a headless chromium without a network, or skips.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no chromium or chrome on PATH: the report is not looked at in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"), chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx) // one browser; look opens tabs in it
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("%s does not start: %v", path, err)
	}
	return ctx
}

// look opens the page from a file:// address with the network off and returns what the console, the log and
// refused requests said. The actions follow when every chart is drawn.
func look(t *testing.T, ctx context.Context, file string, charts int, actions ...chromedp.Action) (complaints []string) {
	t.Helper()
	ctx, cancel := chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var lock sync.Mutex
	complain := func(format string, a ...any) {
		lock.Lock()
		defer lock.Unlock()
		complaints = append(complaints, fmt.Sprintf(format, a...))
	}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complain("exception: %s", e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			complain("console.%s: %v", e.Type, e.Args)
		case *log.EventEntryAdded:
			complain("log %s: %s", e.Entry.Level, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, "file://") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") {
				complain("request: %s", u)
			}
		case *cdppage.EventJavascriptDialogOpening:
			complain("dialog: %s", e.Message)
		}
	})
	all := append([]chromedp.Action{
		network.Enable(), log.Enable(), runtime.Enable(),
		network.OverrideNetworkState(true, 0, 0, 0),
		cdppage.BringToFront(), // a page behind another draws nothing
		chromedp.Navigate("file://" + file),
		chromedp.Poll(fmt.Sprintf(`Number(document.documentElement.dataset.drawn || 0) >= %d`, charts), nil, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second)),
	}, actions...)
	if err := chromedp.Run(ctx, all...); err != nil {
		complain("%v", err)
	}
	lock.Lock()
	defer lock.Unlock()
	return complaints
}

// hover shows every chart's tooltip once and returns their texts.
const hover = `[...document.querySelectorAll(".chart")].map(e => {
	const chart = echarts.getInstanceByDom(e);
	chart.dispatchAction({type: "showTip", seriesIndex: 0, dataIndex: 0});
	return e.id + ": " + [...e.querySelectorAll(".tip")].map(t => t.textContent).join();
})`

// empty lists the charts without a drawing.
const empty = `[...document.querySelectorAll(".chart")].filter(e => !e.querySelector("canvas") && e.querySelectorAll("svg path").length < 5).map(e => e.id)`

func TestBrowser(t *testing.T) {
	ctx := browser(t)
	keep := os.Getenv("COLLBENCH_PAGES")
	for name, m := range pages() {
		t.Run(name, func(t *testing.T) {
			var extra []chromedp.Action
			if keep != "" {
				extra = shots(filepath.Join(keep, name))
			}
			visit(t, ctx, render(t, name, m, nil), extra...)
		})
	}
	t.Run("attack", func(t *testing.T) {
		var foreign int
		visit(t, ctx, render(t, "attack", lab(1<<20, 2<<20, 4<<20), attacked), chromedp.Evaluate(`document.querySelectorAll("img").length`, &foreign))
		if foreign > 0 {
			t.Errorf("%d elements came from foreign text", foreign)
		}
	})
}

// visit looks at a page: every chart is drawn, has a tooltip, and nothing complains.
func visit(t *testing.T, ctx context.Context, html []byte, extra ...chromedp.Action) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, html, 0o644); err != nil {
		t.Fatal(err)
	}
	charts := strings.Count(string(html), `class="chart"`)
	if charts < 4 {
		t.Errorf("%d charts, want at least 4", charts)
	}
	var blank, tips []string
	actions := append([]chromedp.Action{chromedp.Evaluate(empty, &blank), chromedp.Evaluate(hover, &tips)}, extra...)
	for _, c := range look(t, ctx, file, charts, actions...) {
		t.Error(c)
	}
	if len(blank) > 0 {
		t.Errorf("charts without a drawing: %v", blank)
	}
	if len(tips) != charts {
		t.Errorf("%d tooltips of %d charts", len(tips), charts)
	}
	for _, tip := range tips {
		if id, text, _ := strings.Cut(tip, ": "); text == "" {
			t.Errorf("chart %s has no tooltip", id)
		}
	}
}

// shots takes pictures of the page: light, dark, narrow, printed.
func shots(prefix string) []chromedp.Action {
	shot := func(kind string) chromedp.Action {
		return chromedp.ActionFunc(func(ctx context.Context) error {
			time.Sleep(300 * time.Millisecond)
			var png []byte
			if err := chromedp.FullScreenshot(&png, 100).Do(ctx); err != nil {
				return err
			}
			return os.WriteFile(prefix+"-"+kind+".png", png, 0o644)
		})
	}
	scheme := func(value string) chromedp.Action {
		return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}})
	}
	return []chromedp.Action{
		chromedp.EmulateViewport(1320, 900), scheme("light"), shot("light"),
		scheme("dark"), shot("dark"),
		chromedp.EmulateViewport(420, 900), scheme("light"), shot("narrow"),
		chromedp.EmulateViewport(1320, 900), scheme("dark"),
		chromedp.ActionFunc(func(ctx context.Context) error {
			pdf, _, err := cdppage.PrintToPDF().WithPreferCSSPageSize(true).WithPrintBackground(true).Do(ctx)
			if err != nil {
				return err
			}
			return os.WriteFile(prefix+"-print.pdf", pdf, 0o644)
		}),
	}
}
