//! An invitation in words (iCalendar, RFC 5545; its methods, RFC 5546): what, when, where, who invites.
//! Reads the first event; changes no time zone and answers nothing.

use crate::mail::clean;

/// In lines of the calendar; an event that begins later is not looked for.
const MOST_LINES: usize = 5_000;
const LONGEST: usize = 500;

/// A few lines for people; `None` when there is no event.
pub(super) fn summary(calendar: &str) -> Option<String> {
    let lines = unfolded(calendar);
    let properties: Vec<Property<'_>> = lines.iter().filter_map(|line| Property::parse(line)).collect();
    let method = properties.iter().find(|one| one.name == "METHOD").map_or("", |one| one.value);
    let event = event(&properties)?;
    let find = |name: &str| event.iter().copied().find(|one| one.name == name);
    let mut out =
        vec![format!("[{}] {}", kind(method), find("SUMMARY").map_or_else(String::new, Property::text))];
    out.extend(when(find("DTSTART"), find("DTEND")).map(|when| format!("When: {when}")));
    if find("RRULE").is_some() {
        out.push("Repeats: yes".to_owned());
    }
    let place = find("LOCATION").map(Property::text).filter(|place| !place.is_empty());
    out.extend(place.map(|place| format!("Where: {place}")));
    out.extend(find("ORGANIZER").map(|one| format!("Organiser: {}", one.person())));
    if method.eq_ignore_ascii_case("REPLY") {
        out.extend(find("ATTENDEE").map(|one| format!("Answer: {} – {}", one.person(), one.answer())));
    }
    Some(out.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n"))
}

fn kind(method: &str) -> &'static str {
    match method.to_ascii_uppercase().as_str() {
        "REQUEST" => "Invitation",
        "CANCEL" => "Cancelled appointment",
        "REPLY" => "Answer to an invitation",
        "COUNTER" => "Another time proposed",
        "DECLINECOUNTER" => "Proposed time declined",
        _ => "Appointment",
    }
}

/// Section 3.1: a line that begins with white space goes on with the one before it.
fn unfolded(calendar: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in calendar.lines().take(MOST_LINES) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// The first event's own properties, without those of its alarms.
fn event<'a, 'p>(properties: &'a [Property<'p>]) -> Option<Vec<&'a Property<'p>>> {
    let start = properties.iter().position(|one| one.is("BEGIN", "VEVENT"))?;
    let mut depth = 0usize;
    let mut own = Vec::new();
    for one in &properties[start + 1..] {
        match one.name.as_str() {
            "BEGIN" => depth += 1,
            "END" if depth == 0 => break,
            "END" => depth -= 1,
            _ if depth == 0 => own.push(one),
            _ => {}
        }
    }
    Some(own)
}

/// `DTSTART;TZID=Europe/Berlin:20260105T100000`
struct Property<'l> {
    /// Upper case.
    name: String,
    parameters: &'l str,
    value: &'l str,
}

impl<'l> Property<'l> {
    fn parse(line: &'l str) -> Option<Self> {
        let mut in_quotes = false;
        let colon = line.find(|one| {
            in_quotes ^= one == '"';
            one == ':' && !in_quotes
        })?;
        let (head, value) = (&line[..colon], &line[colon + 1..]);
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        Some(Self { name: name.trim().to_ascii_uppercase(), parameters, value: value.trim() })
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.name == name && self.value.eq_ignore_ascii_case(value)
    }

    fn parameter(&self, name: &str) -> Option<&'l str> {
        let mut all = self.parameters.split(';').filter_map(|one| one.split_once('='));
        all.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches('"'))
    }

    /// Section 3.3.11, in one line.
    fn text(&self) -> String {
        let mut out = String::new();
        let mut characters = self.value.chars();
        while let Some(one) = characters.next() {
            match one {
                '\\' => match characters.next() {
                    Some('n' | 'N') => out.push(' '),
                    Some(escaped) => out.push(escaped),
                    None => {}
                },
                _ => out.push(one),
            }
        }
        clean::line(&out, LONGEST)
    }

    fn person(&self) -> String {
        let scheme = self.value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        let address = scheme.map_or(self.value, |scheme| &self.value[scheme.len()..]);
        let shown = match self.parameter("CN").filter(|name| !name.is_empty() && *name != address) {
            Some(name) => format!("{name} <{address}>"),
            None => address.to_owned(),
        };
        clean::line(&shown, LONGEST)
    }

    fn answer(&self) -> String {
        clean::line(self.parameter("PARTSTAT").unwrap_or("needs-action"), 40).to_ascii_lowercase()
    }
}

/// `2026-01-05 10:00 – 11:00 Europe/Berlin`
fn when(start: Option<&Property<'_>>, end: Option<&Property<'_>>) -> Option<String> {
    let start = start?;
    let (day, time) = moment(start.value)?;
    let zone = match start.parameter("TZID") {
        Some(zone) => clean::line(zone, 80),
        None if start.value.ends_with('Z') => "UTC".to_owned(),
        None => String::new(),
    };
    let first = format!("{day} {time}");
    let until = end.filter(|_| !time.is_empty()).and_then(|end| moment(end.value)).map(|(last_day, last)| {
        if last_day == day { format!(" – {last}") } else { format!(" – {last_day} {last}") }
    });
    Some(format!("{}{} {zone}", first.trim_end(), until.unwrap_or_default()).trim_end().to_owned())
}

/// `20260105T100000Z` as day and time; the time is empty for a whole day.
fn moment(value: &str) -> Option<(String, String)> {
    let (day, time) = value.split_once('T').unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|one| one.is_ascii_digit());
    if day.len() != 8 || !digits(day) {
        return None;
    }
    let time = time.get(..4).filter(|time| digits(time));
    let time = time.map_or_else(String::new, |time| format!("{}:{}", &time[..2], &time[2..]));
    Some((format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]), time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_tells_what_when_where_and_who() {
        let calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nDTSTART:16010101T000000\r\nEND:VTIMEZONE\r\n\
                        BEGIN:VEVENT\r\nSUMMARY:Printer\\, second\r\n  try\r\nDTSTART;TZID=Europe/Berlin:20260105T100000\r\n\
                        DTEND;TZID=Europe/Berlin:20260105T110000\r\nLOCATION:Room 1\\nleft\r\n\
                        ORGANIZER;CN=\"Ada: Customer\":MAILTO:ada@customer.example\r\n\
                        BEGIN:VALARM\r\nSUMMARY:no\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let wanted = "[Invitation] Printer, second try\nWhen: 2026-01-05 10:00 – 11:00 Europe/Berlin\n\
                      Where: Room 1 left\nOrganiser: Ada: Customer <ada@customer.example>";
        assert_eq!(summary(calendar).as_deref(), Some(wanted));
    }

    #[test]
    fn each_method_is_named() {
        let table = [
            (
                "METHOD:CANCEL\nBEGIN:VEVENT\nSUMMARY:x\nDTSTART:20260105T100000Z\nEND:VEVENT",
                "[Cancelled appointment] x\nWhen: 2026-01-05 10:00 UTC",
            ),
            (
                "BEGIN:VEVENT\nSUMMARY:x\nDTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260106\nRRULE:FREQ=DAILY",
                "[Appointment] x\nWhen: 2026-01-05\nRepeats: yes",
            ),
            (
                "METHOD:REPLY\nBEGIN:VEVENT\nSUMMARY:x\nATTENDEE;PARTSTAT=DECLINED:mailto:a@b\nEND:VEVENT",
                "[Answer to an invitation] x\nAnswer: a@b – declined",
            ),
        ];
        for (calendar, wanted) in table {
            assert_eq!(summary(calendar).as_deref(), Some(wanted), "{calendar}");
        }
        assert_eq!(summary("BEGIN:VCALENDAR\nEND:VCALENDAR"), None);
    }
}
