//! A picture of the stack as data: what it consists of, and what depends on what.

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagram {
    /// What it is a picture of.
    pub title: String,
    /// The boxes.
    pub boxes: Vec<DrawnBox>,
    /// The arrows.
    pub arrows: Vec<Arrow>,
}

/// One box.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnBox {
    /// Its name within the picture: small letters, digits and underscores.
    pub id: String,
    /// What stands in it: what it is, its name, and what else is known.
    pub lines: Vec<String>,
    /// How it is to look.
    pub look: Look,
}

/// From what depends to what it depends on: places in the list of boxes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrow {
    /// What depends.
    pub from: usize,
    /// What it depends on.
    pub to: usize,
    /// It holds the other's id; otherwise only the order in which they are made matters.
    pub holds_id: bool,
}

/// What a box tells by its look. It also tells it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It is wanted; whether it is there was not asked.
    Wanted,
    /// It is there as wanted.
    Good,
    /// It is not there.
    Absent,
    /// It is there and not as wanted, or it does not work.
    Wrong,
    /// It is not made by this program.
    Given,
}

impl Look {
    /// Every look.
    pub const ALL: [Look; 5] = [Look::Wanted, Look::Good, Look::Absent, Look::Wrong, Look::Given];

    /// A name for style sheets.
    pub fn word(self) -> &'static str {
        match self {
            Look::Wanted => "wanted",
            Look::Good => "good",
            Look::Absent => "absent",
            Look::Wrong => "wrong",
            Look::Given => "given",
        }
    }
}
