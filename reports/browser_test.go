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
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// look opens the page from a file:// address with the network off and returns what the console, the log and
// refused requests said. The actions follow when every chart is drawn.
func look(t *testing.T, ctx context.Context, file string, charts int, actions ...chromedp.Action) (complaints []string) {
	t.Helper()
	ctx, cancel := chromedp.NewContext(ctx)
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
			complain("console.%s: %s", e.Type, e.Args[0].Value)
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
		chromedp.Navigate("file://" + file),
		chromedp.Poll(fmt.Sprintf(`Number(document.documentElement.dataset.drawn || 0) >= %d`, charts), nil, chromedp.WithPollingTimeout(20*time.Second)),
	}, actions...)
	if err := chromedp.Run(ctx, all...); err != nil {
		complain("%v", err)
	}
	lock.Lock()
	defer lock.Unlock()
	return complaints
}

func TestBrowser(t *testing.T) {
	ctx := browser(t)
	dir := t.TempDir()
	keep := os.Getenv("COLLBENCH_PAGES")
	for name, m := range pages() {
		t.Run(name, func(t *testing.T) {
			html := render(t, name, m, nil)
			file := filepath.Join(dir, name+".html")
			if err := os.WriteFile(file, html, 0o644); err != nil {
				t.Fatal(err)
			}
			charts := strings.Count(string(html), `class="chart"`)
			if charts < 4 {
				t.Errorf("%d charts, want at least 4", charts)
			}
			var empty []string
			actions := []chromedp.Action{chromedp.Evaluate(`[...document.querySelectorAll(".chart")].filter(e => !e.querySelector("canvas") && e.querySelectorAll("svg path").length < 5).map(e => e.id)`, &empty)}
			if keep != "" {
				actions = append(actions, shots(t, filepath.Join(keep, name))...)
			}
			for _, c := range look(t, ctx, file, charts, actions...) {
				t.Error(c)
			}
			if len(empty) > 0 {
				t.Errorf("empty charts: %v", empty)
			}
		})
	}
}

// shots takes pictures of the page: light, dark, narrow, printed.
func shots(t *testing.T, prefix string) []chromedp.Action {
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
