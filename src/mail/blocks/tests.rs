//! Pages as clients write them, and pages nobody should write.

use super::*;

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text, "styles": {} })
}

fn paragraph(content: Value) -> Value {
    json!({ "type": "paragraph", "content": content })
}

fn blocks(markup: &str) -> Vec<Value> {
    page(markup, &[]).expect("a page within bounds").blocks
}

#[test]
fn a_page_becomes_paragraphs_lists_headings_and_quotes() {
    let markup = "<html><head><title>no</title><style>p{}</style></head><body><h2>Printer</h2>\n<p>It   <b>smokes</b>\n&amp; burns.</p>\
                  <ul><li>one<li><p>two</p></ul><ol><li>first</ol><blockquote>old<blockquote>older</blockquote></blockquote>\
                  <table><tr><td>a</td><td>b</td></tr></table><pre>x\n  y</pre></body></html>";
    let wanted = [
        json!({ "type": "heading", "props": { "level": 2 }, "content": [text("Printer")] }),
        paragraph(json!([
            text("It "),
            { "type": "text", "text": "smokes", "styles": { "bold": true } },
            text(" & burns."),
        ])),
        json!({ "type": "bulletListItem", "content": [text("one")] }),
        json!({ "type": "bulletListItem", "content": [text("two")] }),
        json!({ "type": "numberedListItem", "content": [text("first")] }),
        paragraph(json!([text("> "), text("old")])),
        paragraph(json!([text("> > "), text("older")])),
        paragraph(json!([text("a b")])),
        paragraph(json!([text("x")])),
        paragraph(json!([text("  y")])),
    ];
    assert_eq!(blocks(markup), wanted);
}

#[test]
fn links_lead_to_the_web_or_to_an_address_and_nowhere_else() {
    let link =
        |href: &str| vec![paragraph(json!([{ "type": "link", "href": href, "content": [text("x")] }]))];
    for href in ["https://a.example/?b=1", "http://a.example/", "mailto:a@b.example", "HTTPS://a.example/"] {
        assert_eq!(blocks(&format!("<a href='{href}'>x</a>")), link(href), "{href}");
    }
    for href in [
        "javascript:alert(1)",
        "java\nscript:x",
        "data:text/html,x",
        "cid:1",
        "/admin",
        "//a.example",
        "vbscript:x",
    ] {
        assert_eq!(blocks(&format!("<a href=\"{href}\">x</a>")), [paragraph(json!([text("x")]))], "{href}");
    }
}

#[test]
fn a_picture_of_the_mail_is_named_and_one_from_elsewhere_is_left_out() {
    let file = Attachment {
        name: "photo.png".to_owned(),
        media_type: "image/png".to_owned(),
        size: 1,
        sha256: String::new(),
        inline: true,
        content_id: Some("p1@x".to_owned()),
    };
    let markup =
        "See <img src='cid:p1@x'><img src='https://track.example/1.gif' alt='you'><img src='cid:other'>";
    let blocks = page(markup, &[file]).expect("a page").blocks;
    assert_eq!(blocks, [paragraph(json!([text("See [photo.png]")]))]);
}

#[test]
fn empty_lines_are_kept_once() {
    let markup = "<div>a</div><div><br></div><div><br></div><div>b<br>c</div>";
    let wanted = [
        paragraph(json!([text("a")])),
        paragraph(json!([])),
        paragraph(json!([text("b")])),
        paragraph(json!([text("c")])),
    ];
    assert_eq!(blocks(markup), wanted);
}

#[test]
fn nothing_that_runs_survives() {
    let attacks = [
        "<script>alert(1)</script>x",
        "<svg><script>alert(1)</script></svg>x",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>x",
        "<img src=x onerror=alert(1)>x",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>x",
        "<!--<script>alert(1)</script>-->x",
        "<template><script>alert(1)</script></template>x",
    ];
    for attack in attacks {
        assert_eq!(blocks(attack), [paragraph(json!([text("x")]))], "{attack}");
    }
}

#[test]
fn what_the_desk_takes_is_never_exceeded() {
    for part in ["<b>\"</b><i>\\</i>", "<p>a</p>", "<a href='https://a.example/?\"'>ä</a>", "word "] {
        let long = part.repeat(500_000 / part.len());
        if let Some(page) = page(&long, &[]) {
            assert!(Value::Array(page.blocks.clone()).to_string().len() < LARGEST + 1_000, "{part}");
        }
    }
    let endless = page(&"<p>a".repeat(5_000), &[]).expect("within bounds");
    assert!(endless.cut && endless.blocks.len() == MOST_BLOCKS);
    assert_eq!(page(&"<div>".repeat(60_000), &[]), None);
}

#[test]
fn a_ticket_shows_the_page_between_our_texts_unless_the_text_says_more() {
    let mail = |page: &str| {
        let raw = format!(
            "From: a@x.example\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nAll of it.\r\n\
             --b\r\nContent-Type: text/html\r\n\r\n{page}\r\n--b--\r\n"
        );
        ticket(&crate::mail::read::read(raw.as_bytes()).expect("a mail"), "above", "below")
    };
    let line = |one: &str| paragraph(json!([text(one)]));
    let bullet = json!({ "type": "bulletListItem", "content": [text("All of it.")] });
    let empty = paragraph(json!([]));
    let wanted = json!([line("above"), empty, bullet, empty, line("below")]);
    assert_eq!(mail("<ul><li>All of it.</ul>"), wanted);
    assert_eq!(mail("<p>So.</p>"), desk_text::blocks("above\n\nAll of it.\n\nbelow"));
}
